/** Computing on data that stays where it is: receipts, documents, and a client that runs what was bought. */
module insitu {
    requires java.net.http;
    requires org.bouncycastle.provider;
    requires static transitive org.jspecify;

    exports insitu;
    exports insitu.client;
    exports insitu.domain;
    exports insitu.json;
    exports insitu.receipt;
    exports insitu.rules;
}
