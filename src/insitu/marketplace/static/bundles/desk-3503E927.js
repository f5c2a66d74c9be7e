/*! Licences: licences.txt */
import{}from"./common-KC7U26DF.js";import{a}from"./chunk-D8BAB93E.js";import"./chunk-07F6374E.js";import"./chunk-68F8DC55.js";export{a as Desk};
