/*! Licences: licences.txt */
import{}from"./common-FMF4ZHUL.js";import{a}from"./chunk-9E708068.js";export{a as Desk};
