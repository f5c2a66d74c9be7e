/*! Licences: licences.txt */
import{}from"./common-JXRYWJVS.js";import{a}from"./chunk-B2E49506.js";export{a as Desk};
