/*! Licences: licences.txt */
import{b as a,c as b,d as c,e as d}from"./chunk-UKZJJOSV.js";import"./chunk-3C6MXZRV.js";import"./chunk-5GWRCP3W.js";import"./chunk-IGXT2ELT.js";import"./chunk-GQB2JP7T.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
