/*! Licences: licences.txt */
import{a,b,c,d}from"./chunk-AIMQ5I5Y.js";import"./chunk-Y64RYOEI.js";import"./chunk-NPUZJ6GF.js";import"./chunk-7WV5YJTZ.js";import"./chunk-X3AXHAT5.js";import"./chunk-GYQOAMM4.js";import"./chunk-BVO5BZE2.js";import"./chunk-CAR7EPPR.js";import"./chunk-BKHP53SM.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
