/*! Licences: licences.txt */
import{}from"./common-IU6JCGUU.js";import{b as a,c as b,d as c,e as d}from"./chunk-4D8E36B3.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
