import{M as t,V as i}from"./chunk-2GXY63P7.js";function o({kind:e,name:n}){return t(i,{title:`${e.kind} ${n}`})}export{o as ObjectView};
