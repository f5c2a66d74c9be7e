/*! Licences: licences.txt */
var n={py:"python3",sh:"sh",r:"Rscript",js:"node",java:"java",jar:"java -jar"};function o(t){let r=n[/\.([^.]+)$/.exec(t)?.[1]?.toLowerCase()??""],e=/^[\w@%+=:,./-]+$/.test(t)?t:`'${t.replaceAll("'",`'"'"'`)}'`;return r?`${r} ${e}`:""}export{o as a};
