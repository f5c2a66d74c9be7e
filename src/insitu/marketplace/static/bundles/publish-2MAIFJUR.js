/*! Licences: licences.txt */
import{a}from"./chunk-OFW27DUK.js";import"./chunk-AWLJRTKM.js";import"./chunk-HG5V4FYS.js";import"./chunk-3XO3CYPT.js";import"./chunk-W7JW23RH.js";import"./chunk-LRVCRF7R.js";import"./chunk-WK5L4YIE.js";import"./chunk-BNC6ATFI.js";import"./chunk-5GWRCP3W.js";import"./chunk-IGXT2ELT.js";import"./chunk-GQB2JP7T.js";export{a as Publisher};
