/*! Licences: licences.txt */
import{}from"./common-QUGFHUJA.js";import{a}from"./chunk-A67CB870.js";export{a as Desk};
