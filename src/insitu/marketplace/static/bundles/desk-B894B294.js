/*! Licences: licences.txt */
import{}from"./common-A6XERUUT.js";import{a}from"./chunk-C404FB7B.js";export{a as Desk};
