/*! Licences: licences.txt */
import{a}from"./chunk-CJCVDU72.js";import"./chunk-VL3FL4YL.js";import"./chunk-XYXLRTL2.js";import"./chunk-NEC3SFQV.js";import"./chunk-KVRIJK22.js";import"./chunk-TICDK3BY.js";import"./chunk-5GTON53J.js";import"./chunk-BOXM3WSR.js";import"./chunk-3X2G3PMF.js";import"./chunk-LAXZWSJ5.js";import"./chunk-B5GTVFUC.js";export{a as Publisher};
