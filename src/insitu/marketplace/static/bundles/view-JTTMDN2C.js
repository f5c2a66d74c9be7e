/*! Licences: licences.txt */
import{b as a,c as b,d as c,e as d}from"./chunk-VSW5DADO.js";import"./chunk-2AIRV4PI.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
