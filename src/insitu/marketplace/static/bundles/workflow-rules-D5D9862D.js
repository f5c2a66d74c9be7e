/*! Licences: licences.txt */
import{}from"./common-JXRYWJVS.js";import{b as a,c as b,d as c,e as d}from"./chunk-41666A3B.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
