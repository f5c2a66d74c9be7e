/*! Licences: licences.txt */
import{a,b,c,d}from"./chunk-RFANFETX.js";import"./chunk-G4TQD7J3.js";import"./chunk-LB2ANRAD.js";import"./chunk-GYQOAMM4.js";import"./chunk-7WV5YJTZ.js";import"./chunk-BVO5BZE2.js";import"./chunk-CAR7EPPR.js";import"./chunk-X3AXHAT5.js";import"./chunk-BKHP53SM.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
