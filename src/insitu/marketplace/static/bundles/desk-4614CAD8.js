/*! Licences: licences.txt */
import{}from"./common-5ZWEHWBK.js";import{a}from"./chunk-C3A9503B.js";export{a as Desk};
