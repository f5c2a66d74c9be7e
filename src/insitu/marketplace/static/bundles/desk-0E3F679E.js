/*! Licences: licences.txt */
import{}from"./common-IU6JCGUU.js";import{a}from"./chunk-532DC540.js";export{a as Desk};
