/*! Licences: licences.txt */
import{}from"./common-DUQAVFU5.js";import{b as a,c as b,d as c,e as d}from"./chunk-CF7C10E5.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
