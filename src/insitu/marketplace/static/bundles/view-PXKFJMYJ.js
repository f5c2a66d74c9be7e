/*! Licences: licences.txt */
import{a,b,c,d}from"./chunk-GMKUE55P.js";import"./chunk-7ZK2QYMD.js";import"./chunk-TH3DOJYH.js";import"./chunk-FHMC3N2I.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
