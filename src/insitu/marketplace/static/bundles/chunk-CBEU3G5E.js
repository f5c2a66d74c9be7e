/*! Licences: licences.txt */
import{fa as r,za as n}from"./chunk-B5GTVFUC.js";function p(t){return`0x${n(t.map(e=>[e.did,r(e.checksum)]))}`}export{p as a};
