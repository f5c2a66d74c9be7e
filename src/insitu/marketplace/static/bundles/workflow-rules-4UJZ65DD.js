/*! Licences: licences.txt */
import{b as a,c as b,d as c,e as d}from"./chunk-5CMOHY62.js";import"./chunk-3DMRY6A7.js";import"./chunk-VCJHTBOE.js";import"./chunk-WIUKBC2Q.js";import"./chunk-LAXZWSJ5.js";import"./chunk-B5GTVFUC.js";export{d as checkContainer,c as checkIndex,b as checkWorkflow,a as validateWorkflow};
