/*! Licences: licences.txt */
import{a}from"./chunk-U2623REN.js";import"./chunk-TVGV7SYO.js";import"./chunk-VL3FL4YL.js";import"./chunk-4JJTQKOJ.js";import"./chunk-NEC3SFQV.js";import"./chunk-KVRIJK22.js";import"./chunk-TVNJD45L.js";import"./chunk-JZ75SZMO.js";import"./chunk-7MRIXNSF.js";import"./chunk-5I75ZS7H.js";import"./chunk-5GTON53J.js";import"./chunk-B5GTVFUC.js";export{a as Desk};
