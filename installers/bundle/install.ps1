<#
.SYNOPSIS
Installs F2HDR from this folder, without network, administrator or compiler.
.PARAMETER To
Folder to install to. Default: f2hdr\app in the user's local application data.
.PARAMETER Uninstall
Removes the installation. Renders, imported weights, the flow cache and the log stay. uninstall.cmd in the installation
does the same.
#>
[CmdletBinding()]
param(
    [string]$To = (Join-Path $env:LOCALAPPDATA 'f2hdr\app'),
    [switch]$Uninstall
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$here = $PSScriptRoot
$To = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($To).TrimEnd('\', '/')
if ((Split-Path -Leaf $PSCommandPath) -eq 'uninstall.ps1') { $To, $Uninstall = $here, $true }
$mark = Join-Path $To 'F2HDR_BUNDLE'

function Stop-Installation([string]$Message) {
    [Console]::Error.WriteLine("error: $Message")
    exit 1
}

# Renames a folder. Windows refuses that while a program uses a file in it, such as a virus scanner for some seconds.
function Move-Folder([string]$From, [string]$Destination) {
    for ($try = 1; $true; $try++) {
        try {
            [IO.Directory]::Move($From, $Destination)
            return
        } catch {
            if ($try -eq 10) {
                Stop-Installation ("$From is in use ($($_.Exception.GetBaseException().Message)). " +
                    'Close F2HDR, the hosts that use it, and windows that show this folder; then run this again.')
            }
            Start-Sleep -Milliseconds 500
        }
    }
}

if ($Uninstall) {
    if (-not (Test-Path -LiteralPath $mark)) { Stop-Installation "F2HDR is not installed in $To; name its folder with -To." }
    [Environment]::CurrentDirectory = [IO.Path]::GetTempPath() # a folder that is a current folder cannot be removed
    $removed = "$To.removed"
    if (Test-Path -LiteralPath $removed) { Stop-Installation "$removed exists; move it." }
    Move-Folder $To $removed
    Remove-Item -LiteralPath $removed -Recurse -Force
    Write-Output "removed $To"
    Write-Output "Kept: renders, imported weights, the flow cache and the log, in $(Join-Path $env:LOCALAPPDATA 'f2hdr')."
    Write-Output 'Host files are removed by: f2hdr install nuke --uninstall (before this step), resolve and ofx likewise.'
    exit 0
}
if ((Test-Path -LiteralPath $To) -and -not (Test-Path -LiteralPath $mark) -and (Get-ChildItem -LiteralPath $To -Force)) {
    Stop-Installation "$To exists and was not made by this installer; choose another folder with -To."
}

Write-Output 'checking the files'
foreach ($line in [IO.File]::ReadAllLines((Join-Path $here 'SHA256SUMS'))) {
    $digest, $name = $line -split '  ', 2
    $path = Join-Path $here $name
    if (-not (Test-Path -LiteralPath $path) -or (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash -ne $digest) {
        Stop-Installation "The bundle is damaged ($name); copy or download it again."
    }
}

# Everything is prepared in a folder next to the target, then renamed: an interrupted installation leaves the old one.
$version = [IO.File]::ReadAllText((Join-Path $here 'VERSION')).Trim()
$extras = [IO.File]::ReadAllText((Join-Path $here 'EXTRAS')).Trim()
$work = "$To.new"
$part, $old, $process = (Join-Path $work 'n'), (Join-Path $work 'o'), (Join-Path $work 'process')

# Where long paths are not enabled, Windows allows 259 characters. The longest are license files of torch.
$longest = (Join-Path $part 'python\Lib\site-packages').Length + 1 + [int][IO.File]::ReadAllText((Join-Path $here 'LONGEST'))
$system = Get-ItemProperty -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\FileSystem' -Name LongPathsEnabled `
    -ErrorAction SilentlyContinue
if ($longest -gt 259 -and -not ($system -and $system.LongPathsEnabled)) {
    Stop-Installation "$To is $($longest - 259) characters too long for Windows; choose a shorter folder with -To, such as C:\f2hdr."
}

function Remove-Work {
    if (-not (Test-Path -LiteralPath $To) -and (Test-Path -LiteralPath $old)) { Move-Folder $old $To }
    # The file "process" is removed last: it marks this folder as the installer's.
    foreach ($folder in $part, $old, $work) {
        if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force }
    }
}

if (Test-Path -LiteralPath $work) {
    if (-not (Test-Path -LiteralPath $process)) { Stop-Installation "$work exists and was not made by this installer; move it." }
    $running = [int][IO.File]::ReadAllText($process)
    if ($running -ne $PID -and (Get-Process -Id $running -ErrorAction SilentlyContinue)) {
        Stop-Installation "Process $running is installing to $To; wait for it, or end it."
    }
    Remove-Work
}
New-Item -ItemType Directory -Path $part -Force | Out-Null
try {
    [IO.File]::WriteAllText($process, "$PID")
    Copy-Item -LiteralPath (Join-Path $here 'python') -Destination (Join-Path $part 'python') -Recurse
    $python = Join-Path $part 'python\python.exe'
    $pip = (Get-ChildItem -LiteralPath (Join-Path $here 'wheels') -Filter 'pip-*.whl').FullName
    Write-Output "installing F2HDR $version"
    $start = "import os, runpy, sys; os.environ['PIP_CONFIG_FILE'] = os.devnull; " +
        "sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'pip'; runpy.run_module('pip', run_name='__main__')"
    & $python -I -c $start $pip --isolated install --quiet --no-index --no-cache-dir --no-warn-script-location `
        --disable-pip-version-check --find-links (Join-Path $here 'wheels') "f2hdr[$extras]" msvc-runtime
    if ($LASTEXITCODE -ne 0) { Stop-Installation 'The wheels could not be installed; see the lines above.' }
    # It contains the path of this folder, which is renamed.
    Remove-Item -LiteralPath (Join-Path $part 'python\Scripts\f2hdr.exe') -ErrorAction SilentlyContinue

    New-Item -ItemType Directory -Path (Join-Path $part 'bin') | Out-Null
    $launcher = @'
@echo off
"%~dp0..\python\python.exe" -I -c "import sys; sys.argv[0] = sys.argv.pop(1); from f2hdr_backend.cli.main import main; main()" "%~f0" %*
'@
    [IO.File]::WriteAllText((Join-Path $part 'bin\f2hdr.cmd'), $launcher)
    # One line, which Windows reads before the file is removed.
    $remover = @'
@echo off
cd /d "%TEMP%" & "%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -ExecutionPolicy Bypass -File "%~dp0uninstall.ps1" & pause & exit /b
'@
    [IO.File]::WriteAllText((Join-Path $part 'uninstall.cmd'), $remover)
    foreach ($name in 'licenses', 'LICENSE', 'VERSION') {
        Copy-Item -LiteralPath (Join-Path $here $name) -Destination $part -Recurse
    }
    Copy-Item -LiteralPath (Join-Path $here 'install.ps1') -Destination (Join-Path $part 'uninstall.ps1')
    [IO.File]::WriteAllText((Join-Path $part 'F2HDR_BUNDLE'), "F2HDR was installed here by its bundle.`n")
    $started = & (Join-Path $part 'bin\f2hdr.cmd') --version
    if ($started -ne $version) { Stop-Installation 'The installed command does not start.' }
    if (Test-Path -LiteralPath $To) { Move-Folder $To $old }
    Move-Folder $part $To
} finally {
    Remove-Work
}
$command = Join-Path $To 'bin\f2hdr.cmd'
Write-Output "installed $command"
Write-Output "Add $(Join-Path $To 'bin') to Path to type f2hdr."
Write-Output "Next: & '$command' doctor, then demo and install nuke"
