/*! Licences: licences.txt */
import{}from"./common-DUQAVFU5.js";import{a}from"./chunk-8233684B.js";import"./chunk-BAE2C08B.js";import"./chunk-8668F21F.js";export{a as Desk};
