/*! Licences: licences.txt */
import{$a as p,Qa as r,_a as o,a as e,ab as i,b as t,bb as n,cb as m,db as f,fb as s,gb as c,hb as a}from"./chunk-FHMC3N2I.js";export{e as InsituError,o as filesRoot,t as isInsituError,n as openingChecks,p as outputRoot,f as readEnvelope,r as readJson,i as readOpening,s as receiptHash,a as requireAll,m as settlementChecks,c as verifyReceipt};
