/*! Licences: licences.txt */
import{a,b,c,d}from"./chunk-4COOXFDH.js";import"./chunk-GAFDSIYN.js";import"./chunk-SSKZNR7I.js";import"./chunk-GYQOAMM4.js";import"./chunk-MUDLCOPY.js";import"./chunk-BVO5BZE2.js";import"./chunk-CAR7EPPR.js";import"./chunk-X3AXHAT5.js";import"./chunk-BKHP53SM.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
