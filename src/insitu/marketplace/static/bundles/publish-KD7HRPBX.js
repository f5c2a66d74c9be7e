/*! Licences: licences.txt */
import{a}from"./chunk-743B2BYQ.js";import"./chunk-SUEM5S4S.js";import"./chunk-MVA23BP6.js";import"./chunk-VSTGDVHY.js";import"./chunk-YOOGHDXO.js";import"./chunk-RCCGUEJN.js";import"./chunk-SDOXG3MB.js";import"./chunk-WS7PJSBK.js";import"./chunk-JL5NKANE.js";import"./chunk-YXK3OC6T.js";export{a as Publisher};
