/*! Licences: licences.txt */
import{}from"./common-A6XERUUT.js";import{b as a,c as b,d as c,e as d}from"./chunk-BAC12FF5.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
