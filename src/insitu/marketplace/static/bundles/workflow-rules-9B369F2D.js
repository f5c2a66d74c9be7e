/*! Licences: licences.txt */
import{}from"./common-5ZWEHWBK.js";import{b as a,c as b,d as c,e as d}from"./chunk-FA882863.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
