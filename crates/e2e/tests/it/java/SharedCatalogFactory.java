package user;

import java.util.Collections;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.catalog.Catalog;
import org.apache.flink.table.catalog.GenericInMemoryCatalog;
import org.apache.flink.table.factories.CatalogFactory;

/** Makes catalogs of which nobody can know, but by their class, that they end with the process. */
public class SharedCatalogFactory implements CatalogFactory {
    @Override
    public Catalog createCatalog(Context context) {
        return new GenericInMemoryCatalog(context.getName()) {};
    }

    @Override
    public String factoryIdentifier() {
        return "shared";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Collections.emptySet();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Collections.emptySet();
    }
}
