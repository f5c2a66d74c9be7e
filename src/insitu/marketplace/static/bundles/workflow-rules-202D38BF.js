/*! Licences: licences.txt */
import{}from"./common-QUGFHUJA.js";import{b as a,c as b,d as c,e as d}from"./chunk-352337A1.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
