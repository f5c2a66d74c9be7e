/*! Licences: licences.txt */
import{}from"./common-AF2TKRRR.js";import{b as a,c as b,d as c,e as d}from"./chunk-3E410AFA.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
