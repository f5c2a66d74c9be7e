/*! Licences: licences.txt */
import{a,b,c,d}from"./chunk-M526YQ2F.js";import"./chunk-UBTBKUK5.js";import"./chunk-6Z4ECSWR.js";import"./chunk-WXF4F4TQ.js";import"./chunk-RCCGUEJN.js";import"./chunk-GH3BIYQW.js";import"./chunk-Q2RX6FNE.js";import"./chunk-JL5NKANE.js";import"./chunk-YXK3OC6T.js";export{c as accountView,b as chainView,a as chooserView,d as problemView};
