/** Computing on data that stays where it is: receipts, documents and rules of insitu. */
module insitu {
    requires org.bouncycastle.provider;
    requires static transitive org.jspecify;

    exports insitu;
    exports insitu.domain;
    exports insitu.json;
    exports insitu.receipt;
}
