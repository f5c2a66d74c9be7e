/*! Licences: licences.txt */
import{$a as r,a as e,b as t,kb as o,lb as p,mb as i,nb as n,ob as m,pb as f,rb as s,sb as c,tb as a}from"./chunk-IOTYXXGZ.js";export{e as InsituError,o as filesRoot,t as isInsituError,n as openingChecks,p as outputRoot,f as readEnvelope,r as readJson,i as readOpening,s as receiptHash,a as requireAll,m as settlementChecks,c as verifyReceipt};
