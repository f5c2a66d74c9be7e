/*! Licences: licences.txt */
import{b as a,c as b,d as c,e as d}from"./chunk-IEZIUS7H.js";import"./chunk-3DMRY6A7.js";import"./chunk-X5W742GM.js";import"./chunk-7MRIXNSF.js";import"./chunk-5I75ZS7H.js";import"./chunk-B5GTVFUC.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
