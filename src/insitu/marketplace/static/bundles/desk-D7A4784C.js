/*! Licences: licences.txt */
import{}from"./common-T4QVP7TT.js";import{a}from"./chunk-A86F6C1F.js";export{a as Desk};
