/*! Licences: licences.txt */
import{}from"./common-FMF4ZHUL.js";import{b as a,c as b,d as c,e as d}from"./chunk-C4B89118.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
