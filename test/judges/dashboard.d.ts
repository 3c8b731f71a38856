// Our dashboards in Grafana's own types (@grafana/schema). Its Dashboard leaves a panel's options open and types them beside it,
// one module for each kind of panel; its enums refuse what JSON has in their place. Here both are brought together, and a
// field that Grafana does not know is an error.
import type * as Grafana from "@grafana/schema";
import type * as BarGauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as Heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as Stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as StateTimeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as Table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as TimeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// As it stands in JSON: an enum by its value, and whatever has a default may be left out.
type Json<T> = T extends string ? `${T}` : T extends number ? (`${T}` extends `${infer N extends number}` ? N : T)
  : T extends (infer E)[] ? Json<E>[] : T extends object ? { [K in keyof T]?: Json<T[K]> } : T;

// What the type of options does not know although Grafana reads it.
interface Footer { footer?: { show: boolean; reducer: string[]; countRows: boolean; fields: string } }

type PanelOf<Type extends string, Options, Custom> =
  Omit<Json<Grafana.Panel>, "type" | "options" | "fieldConfig"> & {
    id: number; type: Type; title: string; description: string; gridPos: Grafana.GridPos; targets: Target[];
    options: Json<Options>;
    fieldConfig: { defaults: Omit<Json<Grafana.FieldConfig>, "custom"> & { unit: string; custom?: Json<Custom> };
                   overrides: { matcher: { id: "byName"; options: string }; properties: { id: string; value: unknown }[] }[] };
  };

interface Target {
  refId: string; datasource: Grafana.DataSourceRef; editorMode: "code"; expr: string; legendFormat?: string;
  format?: "table" | "heatmap"; instant: boolean; range: boolean;
}

type Panel = PanelOf<"timeseries", TimeSeries.Options, TimeSeries.FieldConfig> | PanelOf<"stat", Stat.Options, never>
  | PanelOf<"table", Table.Options & Footer, Table.FieldConfig> | PanelOf<"bargauge", BarGauge.Options, never>
  | PanelOf<"state-timeline", StateTimeline.Options, StateTimeline.FieldConfig>
  | PanelOf<"heatmap", Heatmap.Options, Heatmap.FieldConfig>
  | Json<Grafana.RowPanel>;

// The data source's own part of an annotation that asks it.
interface Asked { expr?: string; step?: string; titleFormat?: string; textFormat?: string; tagKeys?: string; useValueForTime?: "on" | false }

export type Dashboard = Omit<Json<Grafana.Dashboard>, "panels" | "annotations" | "templating"> & {
  uid: string; title: string; schemaVersion: number; panels: Panel[];
  annotations: { list: (Omit<Json<Grafana.AnnotationQuery>, "target"> & Asked & { target?: { type: "tags"; tags: string[]; matchAny: boolean; limit: number } })[] };
  templating: { list: (Omit<Json<Grafana.VariableModel>, "current" | "options"> & { definition?: string; options: unknown[]; current: object })[] };
};
