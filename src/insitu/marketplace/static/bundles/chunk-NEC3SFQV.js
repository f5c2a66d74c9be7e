/*! Licences: licences.txt */
import{a as o,i as t}from"./chunk-B5GTVFUC.js";var c=1e3;async function*g(a,d,s){let e=d;for(let i=0;i<c&&e!==void 0;i+=1){yield e;let{did:n,version:r,previousBlock:f}=e;if(r===1)return;if(e=await a.registration(n,r-1,f,s),e===void 0)throw new o(t,`the node has no version ${r-1} of ${n}`)}}export{g as a};
