/*! Licences: licences.txt */
import{b as a,c as b,d as c,e as d}from"./chunk-O7ZYIP7W.js";import"./chunk-4M3EO5AO.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
