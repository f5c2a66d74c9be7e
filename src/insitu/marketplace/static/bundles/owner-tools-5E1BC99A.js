/*! Licences: licences.txt */
import{}from"./common-IU6JCGUU.js";import{g as e,h as r,i as t,j as i,k as n,l as s,m as p,n as a}from"./chunk-D3AF568F.js";import"./chunk-5553131A.js";function f(o){return{versions:new s(o),catalogue:new e(o),registrations:new r(o),patchMetadata:i,reviseServices:t,sameServices:n,proposedVersion:a,publicFiles:p}}export{f as ownerTools};
