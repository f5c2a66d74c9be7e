/*! Licences: licences.txt */
import{}from"./common-AF2TKRRR.js";import{a}from"./chunk-56CDC5DD.js";export{a as Desk};
