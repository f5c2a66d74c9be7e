/*! Licences: licences.txt */
import{b as a,c as b,d as c,e as d}from"./chunk-CG7ABP4G.js";import"./chunk-IISHBAXT.js";import"./chunk-WS7PJSBK.js";import"./chunk-JL5NKANE.js";import"./chunk-YXK3OC6T.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
