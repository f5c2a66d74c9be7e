/*! Licences: licences.txt */
import{}from"./common-T4QVP7TT.js";import{b as a,c as b,d as c,e as d}from"./chunk-A9E2FBDD.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
