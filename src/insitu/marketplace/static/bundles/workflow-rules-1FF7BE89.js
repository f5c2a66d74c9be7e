/*! Licences: licences.txt */
import{}from"./common-T2RXAXZH.js";import{b as a,c as b,d as c,e as d}from"./chunk-6A4C5877.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
