/*! Licences: licences.txt */
import{a,b,c,d}from"./chunk-UZACAWJY.js";import"./chunk-XVHONK4Q.js";import"./chunk-PITAS66C.js";import"./chunk-IOTYXXGZ.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
