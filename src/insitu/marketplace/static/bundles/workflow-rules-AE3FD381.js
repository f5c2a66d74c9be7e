/*! Licences: licences.txt */
import{}from"./common-KC7U26DF.js";import{b as a,c as b,d as c,e as d}from"./chunk-2083AC3A.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
