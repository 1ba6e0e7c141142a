package org.apache.flink.table.catalog;

public final class ObjectIdentifier {
    public native String getCatalogName();
}
