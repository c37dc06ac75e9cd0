import{D as t,M as i}from"./chunk-EQXAX2VZ.js";function o({kind:e,name:n}){return t(i,{title:`${e.kind} ${n}`})}export{o as ObjectView};
