import{M as t,V as i}from"./chunk-X5DZIDHN.js";function o({kind:e,name:n}){return t(i,{title:`${e.kind} ${n}`})}export{o as ObjectView};
