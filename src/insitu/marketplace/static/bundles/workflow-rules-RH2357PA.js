/*! Licences: licences.txt */
import{b as a,c as b,d as c,e as d}from"./chunk-KH33LGK5.js";import"./chunk-BVO5BZE2.js";import"./chunk-CAR7EPPR.js";import"./chunk-BKHP53SM.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
