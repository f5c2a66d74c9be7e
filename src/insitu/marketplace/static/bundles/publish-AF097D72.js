/*! Licences: licences.txt */
import{}from"./common-T2RXAXZH.js";import{a}from"./chunk-64FCEE30.js";import"./chunk-65F53B26.js";import"./chunk-9244ED2A.js";export{a as Publisher};
