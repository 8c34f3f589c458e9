"""How the page of a verdict looks, on top of the style of all pages."""

VERDICT_STYLE = """
:root{--hold:#80600a;--before:#c3ced3;--bar:#5f98ad}
@media(prefers-color-scheme:dark){:root{--hold:#e2bd62;--before:#4a565d;--bar:#5b9db2}}
body{overflow-wrap:break-word}code,dd,h1{overflow-wrap:anywhere}.facts dt{flex:none}
header{border-left:4px solid var(--mark);padding-left:1.1rem}
header.critical{border-color:var(--critical)}header.warning{border-color:var(--alarm)}
header .judgement{margin:.35rem 0 1rem;color:var(--ink)}
header.critical .judgement{color:var(--critical)}header.warning .judgement{color:var(--alarm)}
header dl{color:var(--quiet)}a{color:var(--mark)}
.rows{margin:1.25rem 0 0}.rows svg{max-width:none}.rows p{max-width:none;margin:.5rem 0 0}
.sum strong{font-variant-numeric:tabular-nums}
.k-pub{color:var(--mark)}.k-aside{color:var(--critical)}.k-held{color:var(--hold)}
svg .bar{fill:var(--bar);fill-opacity:1}
.aside{fill:var(--critical)}.hollow{fill:none;stroke:var(--hold);stroke-width:1.5}
.before{fill:var(--before)}.now{fill:none;stroke:var(--mark);stroke-width:1.8;stroke-linejoin:round}
rect.now{stroke-width:1.5}.touch{fill:transparent}.touch:hover{fill:var(--band)}
code{font:.9em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.steps{margin:0;padding:0 0 0 1.4rem;max-width:54rem}.steps li{margin:.35rem 0 .7rem}
.steps li::marker{color:var(--quiet)}
.steps code{display:block;background:var(--wash);border-radius:4px;padding:.35rem .6rem;margin:.3rem 0 0;
user-select:all;-webkit-user-select:all}
.verdict{list-style:none;margin:0;padding:0}
.verdict li{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,24rem);gap:.75rem 2.5rem;padding:1.1rem 0 1.1rem;
border-bottom:1px solid var(--rule)}
.verdict li:last-child{border:0}.verdict .alone{grid-template-columns:minmax(0,1fr)}
.verdict h3{margin:0 0 .35rem;display:flex;flex-wrap:wrap;align-items:baseline;gap:.2rem .6rem}
.verdict h3 .quiet{font-weight:400;color:var(--quiet)}
.verdict p{margin:.25rem 0 .5rem}.verdict .facts{font-size:.85rem}.verdict .facts dt{flex:none}
.figure{display:inline-block;min-width:2.6em;text-align:right}
svg.ratio{display:inline-block;width:5.5rem;height:.6rem;max-width:none;vertical-align:0;margin-left:.6rem}
.ratio .grid{stroke:var(--quiet)}.ratio .over{fill:var(--alarm)}
.facts.list{display:grid;grid-template-columns:minmax(0,1fr);gap:.35rem;color:var(--quiet)}
.facts.list div{display:grid;grid-template-columns:8.5rem minmax(0,1fr)}
.columns td:nth-child(3),.columns thead th:nth-child(3){padding-left:1rem;text-align:left}
.reasons td:nth-child(2),.reasons thead th:nth-child(2),.reasons td:last-child,.reasons thead th:last-child{
text-align:left;white-space:normal}.reasons td:last-child{width:60%}
footer{margin-top:3rem;color:var(--quiet);font-size:.8rem}
@media(max-width:44rem){.verdict li{grid-template-columns:minmax(0,1fr)}}
@media(max-width:36rem){.facts.list div{grid-template-columns:minmax(0,1fr)}.facts.list dt{font-size:.8rem}
.facts.list div+div{margin-top:.25rem}header{padding-left:.8rem}}
@media print{:root{color-scheme:light}main{max-width:none;padding:0}.verdict li,.steps li{break-inside:avoid}
.steps code{border:1px solid var(--rule)}svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
""".strip()
