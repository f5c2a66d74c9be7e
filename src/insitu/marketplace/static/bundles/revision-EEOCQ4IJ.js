/*! Licences: licences.txt */
async function e(t,n,o,r){throw new Error("not yet")}export{e as revised};
