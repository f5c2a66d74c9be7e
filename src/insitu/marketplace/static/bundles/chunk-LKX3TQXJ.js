/*! Licences: licences.txt */
async function r(n,e,i,s={}){let t=`insitu.again.${e}`,o=sessionStorage.getItem(t)??crypto.randomUUID();sessionStorage.setItem(t,o);let{agreementId:c,executionId:a}=await n.execute(e,{...s,idempotencyKey:o,signal:i});sessionStorage.removeItem(t),location.assign(`/executions/${c}/${a}`)}export{r as a};
