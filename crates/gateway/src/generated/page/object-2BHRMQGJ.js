import{K as t,T as i}from"./chunk-Y6DW32Z2.js";function o({kind:e,name:n}){return t(i,{title:`${e.kind} ${n}`})}export{o as ObjectView};
